// ends: error
// Text nested deeper than JSON.parse goes.
function main() {
  return JSON.parse(new Array(100001).join('['));
}
