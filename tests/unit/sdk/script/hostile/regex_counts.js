// ends: timeout
// Counted repetition of counted repetition.
function main() {
  return /^((x{1,50}){1,50}){1,50}$/.test(new Array(3000).join('x') + 'y');
}
