;; wasm2c writes names into comments.
(module (func (export "*/ int x; /*")))
