;; What does validation want of suspend? A tag, its parameters below, its results above.

(assert_invalid (module (func (suspend 0))) "unknown tag")
(assert_invalid (module (tag $t (param i32)) (func (suspend $t))) "type mismatch")
(assert_invalid (module (tag $t (param i32)) (func (suspend $t (i64.const 0)))) "type mismatch")
(assert_invalid (module (tag $t (param i32 i64)) (func (suspend $t (i64.const 0) (i32.const 0)))) "type mismatch")
(assert_invalid (module (tag $t (param i32)) (func (suspend $t (i32.const 0) (i32.const 0)))) "type mismatch")
(assert_invalid (module (tag $t (result i32)) (func (suspend $t))) "type mismatch")
(assert_invalid (module (tag $t (result i32)) (func (result i64) (suspend $t))) "type mismatch")
(assert_invalid (module (tag $t) (func (result i32) (suspend $t))) "type mismatch")
(assert_invalid (module (tag $t (param (ref func))) (func (param funcref) (suspend $t (local.get 0)))) "type mismatch")
(assert_invalid (module (tag $t (result funcref)) (func (result (ref func)) (suspend $t))) "type mismatch")
