;; Answers a case that its type does not have.
(component
  (type $colour' (enum "red" "green"))
  (export $colour "colour" (type $colour'))
  (core module $m
    (memory (export "memory") 1)
    (func (export "attack") (result i32)
      (i32.const 7)))
  (core instance $i (instantiate $m))
  (func $attack (result $colour)
    (canon lift (core func $i "attack") (memory (core memory $i "memory"))))
  (instance $tools (export "attack" (func $attack)))
  (export "tests:attacks/tools@1.0.0" (instance $tools)))
