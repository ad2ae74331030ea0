// ends: timeout
// The pattern of many a mail address check.
function main() {
  var text = new Array(20).join('aaa.');
  return /^([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}$/.test(text + '!');
}
