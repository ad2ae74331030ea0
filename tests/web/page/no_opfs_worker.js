// The full flavour's worker in a browser without OPFS.
import './no_opfs.js';
import './sdk/full-worker.js';
