// ends: timeout
// Alternatives that overlap, repeated.
function main() {
  return /^(a|aa|a?a)*c$/.test(new Array(80).join('a') + 'b');
}
