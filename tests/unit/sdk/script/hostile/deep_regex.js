// ends: error
// A pattern nested deeper than the compiler goes.
function main() {
  var s = 'a';
  for (var i = 0; i < 5000; i++) s = '(' + s + ')';
  return new RegExp(s).test('a');
}
