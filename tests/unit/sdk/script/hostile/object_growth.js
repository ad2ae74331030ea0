// ends: memory
// Objects that hold objects.
function main() {
  var all = [];
  for (var i = 0; ; i++) all.push({ a: { b: [i, '' + i] }, c: function () { return i; } });
}
