;; Never says where its argument shall stand.
(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (loop $for_ever (br $for_ever))
      (unreachable))
    (func (export "attack") (param i32 i32) (result i32)
      (i32.const 0)))
  (core instance $i (instantiate $m))
  (func $attack (param "name" string) (result u32)
    (canon lift (core func $i "attack") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (instance $tools (export "attack" (func $attack)))
  (export "tests:attacks/tools@1.0.0" (instance $tools)))
