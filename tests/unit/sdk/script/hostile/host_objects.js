// ends: error
// Looks for anything that is not the language.
function main() {
  var names = ['require', 'process', 'Duktape', 'print', 'alert', 'console', 'load', 'performance', 'Buffer',
    'Uint8Array', 'ArrayBuffer', 'Proxy', 'Reflect', 'Symbol', 'TextDecoder', 'CBOR', 'globalThis', 'setTimeout',
    'fetch', 'XMLHttpRequest', 'WebAssembly', 'module', 'exports', 'std', 'os', 'global', 'window', 'self'];
  var self = (function () { return this; })();
  for (var i = 0; i < names.length; i++) if (names[i] in self) return names[i];
  return Duktape.fin;
}
