// ends: timeout
// Catches the refusal of memory and asks again.
function main() {
  var held = [];
  for (;;) {
    try {
      for (;;) held.push(new Array(5000).join('y'));
    } catch (e) {
      held.length = held.length >> 1;
    }
  }
}
