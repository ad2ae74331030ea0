// ends: timeout
// Ignores case over all of Unicode.
function main() {
  var s = '';
  for (var i = 0xc0; i < 0x2000; i++) s += String.fromCharCode(i);
  for (var n = 0; ; n++) {
    new RegExp('[\\u0000-\\uffff' + s.charAt(n % s.length) + ']+$', 'i').test(s + '\n' + s.toUpperCase());
  }
}
