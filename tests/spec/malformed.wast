;; Which bytes and words are no stack switching?

;; A module with (type (func)), (type (cont 0)), a tag of type 0 and one function, in binary; then broken.
(module binary
  "\00asm\01\00\00\00"
  "\01\06\02\60\00\00\5d\00"        ;; types
  "\03\02\01\00"                    ;; function 0 of type 0
  "\0d\03\01\00\00"                 ;; tag 0 of type 0
  "\0a\0b\01\09\00"                 ;; code
  "\d0\01\e3\01\01\01\00\0b"        ;; ref.null 1; resume 1 (on 0 switch); end
)
(module binary
  "\00asm\01\00\00\00"
  "\01\06\02\60\00\00\5d\00"
  "\03\02\01\00"
  "\0d\03\01\00\00"
  "\0a\12\01\10\00"
  "\02\63\01\d0\01\e3\01\01\00\00\00\00\0b\1a\0b"   ;; block (ref null 1); ref.null 1; resume 1 (on 0 0); ..
)
;; A clause of kind 2.
(assert_malformed
  (module binary
    "\00asm\01\00\00\00"
    "\01\06\02\60\00\00\5d\00"
    "\03\02\01\00"
    "\0d\03\01\00\00"
    "\0a\0b\01\09\00"
    "\d0\01\e3\01\01\02\00\0b")
  "malformed handler")
;; An opcode behind the last.
(assert_malformed
  (module binary
    "\00asm\01\00\00\00"
    "\01\06\02\60\00\00\5d\00"
    "\03\02\01\00"
    "\0a\07\01\05\00"
    "\d0\01\e7\0b")
  "illegal opcode")
;; A list of clauses longer than the function.
(assert_malformed
  (module binary
    "\00asm\01\00\00\00"
    "\01\06\02\60\00\00\5d\00"
    "\03\02\01\00"
    "\0d\03\01\00\00"
    "\0a\0b\01\09\00"
    "\d0\01\e3\01\7f\01\00\0b")
  "length out of bounds")
;; A type that ends too early.
(assert_malformed
  (module binary
    "\00asm\01\00\00\00"
    "\01\05\02\60\00\00\5d")
  "unexpected end")

(assert_malformed (module quote "(type $k (cont (func)))") "unexpected token")
(assert_malformed (module quote "(type $f (func)) (type $k (cont $f $f))") "unexpected token")
(assert_malformed (module quote "(type $k (cont $f))") "unknown type")
(assert_malformed (module quote "(tag $t) (func (suspend))") "unexpected token")
(assert_malformed (module quote "(type $f (func)) (type $k (cont $f)) (func (resume))") "unexpected token")
(assert_malformed (module quote "(type $f (func)) (type $k (cont $f)) (func (resume $k (on)))") "unexpected token")
(assert_malformed
  (module quote "(type $f (func)) (type $k (cont $f)) (tag $t) (func (resume $k (on $t)))")
  "unexpected token")
(assert_malformed
  (module quote "(type $f (func)) (type $k (cont $f)) (tag $t) (func (resume $k (on $t switch switch)))")
  "unexpected token")
(assert_malformed (module quote "(type $f (func)) (type $k (cont $f)) (func (cont.bind $k))") "unexpected token")
(assert_malformed (module quote "(type $f (func)) (type $k (cont $f)) (func (resume_throw $k))") "unexpected token")
(assert_malformed (module quote "(type $f (func)) (type $k (cont $f)) (func (switch $k))") "unexpected token")
(assert_malformed (module quote "(type $f (func)) (type $k (cont $f)) (func (cont_new $k))") "unknown operator")
