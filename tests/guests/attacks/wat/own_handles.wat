;; Makes handles of its own, and drops none.
(component
  (type $thing (resource (rep i32)))
  (core func $new (canon resource.new $thing))
  (core module $m
    (import "" "new" (func $new (param i32) (result i32)))
    (func (export "attack") (result i32)
      (local $n i32)
      (loop $more
        (drop (call $new (local.get $n)))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br_if $more (i32.lt_u (local.get $n) (i32.const 50000))))
      (local.get $n)))
  (core instance $i (instantiate $m
    (with "" (instance (export "new" (func $new))))))
  (func $attack (result u32)
    (canon lift (core func $i "attack")))
  (instance $tools (export "attack" (func $attack)))
  (export "tests:attacks/tools@1.0.0" (instance $tools)))
