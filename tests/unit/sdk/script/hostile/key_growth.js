// ends: memory
// One object with ever more names.
function main() {
  var o = {};
  for (var i = 0; ; i++) o['k' + i] = i;
}
