/* SPDX-License-Identifier: Apache-2.0 */
/* Static asserts only: the numbers of arch/layout.h against the structs. */
#include <wasmfx/abi.h>

#include "arch/layout.h"
#include "fiber_tls.h"
#include "handler.h"
#include "object.h"
#include "payload.h"
#include "runtime.h"

#define AT(type, field, number) _Static_assert(offsetof(type, field) == (number), #type "." #field)

AT(struct wasmfx_runtime, current, WFX_RT_CURRENT);
AT(struct wasmfx_runtime, short_count, WFX_RT_SHORT_COUNT);
AT(struct wasmfx_runtime, careful, WFX_RT_CAREFUL);
AT(struct wasmfx_runtime, free_stacks.top, WFX_RT_FREE_STACK);
AT(struct wasmfx_runtime, free_stacks.may_keep, WFX_RT_STACKS_MAY_KEEP);
AT(struct wasmfx_runtime, received, WFX_RT_RECEIVED);
AT(struct wasmfx_runtime, transfer.from, WFX_RT_FROM);
AT(struct wasmfx_runtime, transfer.landing, WFX_RT_LANDING);
AT(struct wasmfx_runtime, transfer.cont, WFX_RT_CONT);
AT(struct wasmfx_runtime, transfer.event, WFX_RT_EVENT);
AT(struct wasmfx_runtime, transfer.word, WFX_RT_WORD);
AT(struct wasmfx_runtime, transfer.cut, WFX_RT_CUT);
AT(struct wasmfx_runtime, free_objects, WFX_RT_FREE_OBJECTS);
AT(struct wasmfx_runtime, house, WFX_RT_HOUSE);
AT(struct wasmfx_runtime, scope, WFX_RT_SCOPE);
AT(struct wasmfx_runtime, stack_room, WFX_RT_STACK_ROOM);

AT(struct wfx_house, made, WFX_HOUSE_MADE);
AT(struct wfx_house, may_be_made, WFX_HOUSE_MAY_BE_MADE);

AT(struct wfx_object, ref, WFX_OBJ_REF);
AT(struct wfx_object, pc, WFX_OBJ_PC);
AT(struct wfx_object, sp, WFX_OBJ_SP);
AT(struct wfx_object, fp, WFX_OBJ_FP);
AT(struct wfx_object, entry, WFX_OBJ_ENTRY);
AT(struct wfx_object, env, WFX_OBJ_ENV);
AT(struct wfx_object, parent, WFX_OBJ_PARENT);
AT(struct wfx_object, handlers, WFX_OBJ_HANDLERS);
AT(struct wfx_object, awaits, WFX_OBJ_AWAITS);
AT(struct wfx_object, next_free, WFX_OBJ_NEXT_FREE);
AT(struct wfx_object, type, WFX_OBJ_TYPE);
AT(struct wfx_object, stack, WFX_OBJ_STACK);
AT(struct wfx_object, host_word, WFX_OBJ_HOST_WORD);
AT(struct wfx_object, deep.pc, WFX_OBJ_DEEP_PC);
AT(struct wfx_object, deep.head, WFX_OBJ_HEAD);
AT(struct wfx_object, deep.parent, WFX_OBJ_INNER_PARENT);
AT(struct wfx_object, deep.handlers, WFX_OBJ_INNER_HANDLERS);
AT(struct wfx_object, deep.tag, WFX_OBJ_DEEP_TAG);
AT(struct wfx_object, scope.owner, WFX_OBJ_SCOPE_OWNER);
AT(struct wfx_object, fresh.start, WFX_OBJ_START_ENTRY);
AT(struct wfx_object, fresh.env, WFX_OBJ_START_ENV);
AT(struct wfx_object, scope.link, WFX_OBJ_SCOPE_LINK);
AT(struct wfx_object, scope.handlers, WFX_OBJ_SCOPE_HANDLERS);
_Static_assert(offsetof(struct wfx_object, scope.handlers) == offsetof(struct wfx_object, deep.handlers),
               "an own barrier leaves what is remembered");

AT(struct wfx_stack, next, WFX_STACK_NEXT);
AT(struct wfx_stack, owner, WFX_STACK_OWNER);
AT(struct wfx_stack, low, WFX_STACK_LOW);
AT(struct wfx_stack, is_short, WFX_STACK_IS_SHORT);
AT(struct wfx_stack, life, WFX_STACK_LIFE);

AT(struct wasmfx_handlers, word_tag, WFX_HANDLERS_WORD_TAG);
AT(struct wasmfx_handlers, word_event, WFX_HANDLERS_WORD_EVENT);
AT(struct wasmfx_handlers, switch_tag, WFX_HANDLERS_SWITCH_TAG);
AT(struct wasmfx_handlers, suspend_bytes, WFX_HANDLERS_SUSPEND_BYTES);
AT(struct wasmfx_handlers, call_tag, WFX_HANDLERS_CALL_TAG);
AT(struct wasmfx_handlers, call, WFX_HANDLERS_CALL);
AT(struct wasmfx_handlers, clauses, WFX_HANDLERS_CLAUSES);
AT(struct wfx_clause, tag, WFX_CLAUSE_TAG);
AT(struct wfx_clause, index, WFX_CLAUSE_INDEX);
AT(struct wfx_clause, how, WFX_CLAUSE_HOW);
AT(struct wfx_call, word_function, WFX_CALL_FUNCTION);
AT(struct wfx_call, env, WFX_CALL_ENV);
AT(struct wasmfx_tag, results, WFX_TAG_RESULTS);
AT(struct wasmfx_tag, results_shape, WFX_TAG_RESULTS_SHAPE);
AT(struct wasmfx_type, member.rt, WFX_TYPE_RUNTIME);
AT(struct wasmfx_type, params, WFX_TYPE_PARAMS);
AT(struct wasmfx_type, results_shape, WFX_TYPE_RESULTS_SHAPE);

AT(struct wfx_handle, cont, WFX_HANDLE_CONT);
AT(struct wfx_handle, fresh, WFX_HANDLE_FRESH);
AT(struct wfx_handle, key, WFX_HANDLE_KEY);
AT(struct wfx_handle, given_up, WFX_HANDLE_GIVEN_UP);
AT(struct fiber, handle, 0);
AT(struct wfx_desk, key, WFX_DESK_KEY);
AT(struct wfx_desk, switch_key, WFX_DESK_SWITCH_KEY);
AT(struct wfx_desk, rt, WFX_DESK_RT);
AT(struct wfx_desk, on_yield, WFX_DESK_HANDLERS);
AT(struct wfx_desk, yield, WFX_DESK_YIELD);
AT(struct wfx_desk, exchange, WFX_DESK_EXCHANGE);

/* What generated code has been told. */
#define TOLD(public, number) _Static_assert(WASMFX_ABI_##public == (number), #public)

TOLD(RT_CURRENT, WFX_RT_CURRENT);
TOLD(RT_SLOTS, WFX_RT_SHORT_COUNT);
TOLD(RT_FREE_STACK, WFX_RT_FREE_STACK);
TOLD(RT_RECEIVED, WFX_RT_RECEIVED);
TOLD(RT_FREE_OBJECT, WFX_RT_FREE_OBJECTS);
TOLD(RT_HOUSE, WFX_RT_HOUSE);
TOLD(HOUSE_MADE, WFX_HOUSE_MADE);
TOLD(HOUSE_MAY_BE_MADE, WFX_HOUSE_MAY_BE_MADE);
TOLD(OBJECT_BYTES, 1 << WFX_OBJECT_SHIFT);
TOLD(OBJECT_REFERENCE, WFX_OBJ_REF);
TOLD(OBJECT_PC, WFX_OBJ_PC);
TOLD(OBJECT_SP, WFX_OBJ_SP);
TOLD(OBJECT_SP, WFX_OBJ_ENTRY);
TOLD(OBJECT_FP, WFX_OBJ_FP);
TOLD(OBJECT_FP, WFX_OBJ_ENV);
TOLD(OBJECT_PARENT, WFX_OBJ_PARENT);
TOLD(OBJECT_HANDLERS, WFX_OBJ_HANDLERS);
TOLD(OBJECT_AWAITS, WFX_OBJ_AWAITS);
TOLD(OBJECT_AWAITS, WFX_OBJ_NEXT_FREE);
TOLD(OBJECT_TYPE, WFX_OBJ_TYPE);
TOLD(OBJECT_CLASS, offsetof(struct wfx_object, fresh.stack_class));
TOLD(OBJECT_CLASS + 4, offsetof(struct wfx_object, fresh.tenant));
TOLD(AWAITS_PLACE, WFX_LIST_PLACE);
TOLD(AWAITS_FRESH, WFX_LIST_WORD_FRESH);
TOLD(AWAITS_CONTREF, WFX_LIST_WORD_CONTREF);
TOLD(AWAITS_NOT_FRESH, WFX_LIST_NOT_WORD_FRESH);
TOLD(OBJECT_SHIFT, WFX_OBJECT_SHIFT);
TOLD(HANDLERS_FIRST_TAG, WFX_HANDLERS_WORD_TAG);
TOLD(HANDLERS_FIRST_EVENT, WFX_HANDLERS_WORD_EVENT);
TOLD(HANDLERS_SWITCH_TAG, WFX_HANDLERS_SWITCH_TAG);
TOLD(TAG_RESULTS, WFX_TAG_RESULTS);
TOLD(TAG_RESULTS_SHAPE, WFX_TAG_RESULTS_SHAPE);
TOLD(TYPE_RUNTIME, WFX_TYPE_RUNTIME);
TOLD(TYPE_PARAMS, WFX_TYPE_PARAMS);
TOLD(TYPE_SHORT_PARAMS, offsetof(struct wasmfx_type, short_params));
TOLD(TYPE_RESULTS_SHAPE, WFX_TYPE_RESULTS_SHAPE);
#if WFX_REVISION_BITS == 32
TOLD(REVISION_SHIFT, WFX_REVISION_SHIFT);
#endif

_Static_assert(sizeof(struct wfx_clause) == WFX_CLAUSE_BYTES, "clauses");
_Static_assert(WFX_SUSPENDED == WASMFX_SUSPENDED && WASMFX_RETURNED == 0, "statuses");
_Static_assert(FIBER_EVENT_GIVEN_UP == WFX_EVENT_GIVEN_UP, "an event");
_Static_assert(sizeof(struct wfx_object) == 1u << WFX_OBJECT_SHIFT, "an object is two cache lines");
_Static_assert(sizeof(struct wasmfx_runtime) == 1u << WFX_OBJECT_SHIFT, "the runtime fills slot 0");
_Static_assert(sizeof(struct wfx_stack) % 16 == 0, "the first frame of a stack is aligned to 16 bytes");
_Static_assert(sizeof(wasmfx_value_t) == 16 && _Alignof(wasmfx_value_t) == 16, "slots are 16 bytes");
_Static_assert(sizeof(wasmfx_outcome_t) == 16, "an outcome is returned in two registers");
_Static_assert(WFX_STACK_ROOM % WFX_STACK_STEP == 0, "all of it is touched");
_Static_assert(WFX_REVISION_BITS >= 2 && WFX_REVISION_BITS <= 32, "the index takes the lower half");
