// ends: timeout
// One native call that sorts with an order that never agrees.
function main() {
  var a = [];
  for (var i = 0; i < 20000; i++) a.push((i * 7919) % 20011);
  for (;;) a.sort().reverse();
}
