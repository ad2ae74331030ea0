// ends: timeout
// Looks for what is nearly everywhere.
function main() {
  var hay = 'a', needle = 'a';
  while (hay.length < 1 << 20) hay += hay;
  while (needle.length < 1 << 18) needle += needle;
  needle += 'b';
  for (var i = 0; ; i++) if (hay.indexOf(needle) >= 0) return i;
}
