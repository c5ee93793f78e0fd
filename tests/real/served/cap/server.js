// SAP CAP's own server, but on 127.0.0.1 alone.
const cds = require("@sap/cds");
const app = require("express")();

const listen = app.listen;
app.listen = (port) => listen.call(app, port, "127.0.0.1");
module.exports = (options) => cds.server({ ...options, app });
