// ends: timeout
// A pattern with nested repetition.
function main() {
  return /^(a+)+$/.test(new Array(60).join('a') + 'b');
}
