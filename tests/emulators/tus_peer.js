// The public reference server of the tus project over HTTPS on loopback, as it comes: nothing of it is changed. node tus_peer.js PEM FOLDER PORT
const https = require('node:https')
const fs = require('node:fs')
const { randomUUID } = require('node:crypto')
const { Server } = require('@tus/server')
const { FileStore } = require('@tus/file-store')

const [pem, directory, port] = process.argv.slice(2)
const tus = new Server({ path: '/v1/packets', datastore: new FileStore({ directory }), namingFunction: () => randomUUID() })
const both = fs.readFileSync(pem)
const listening = https.createServer({ cert: both, key: both }, (req, res) => tus.handle(req, res))
listening.listen(Number(port), '127.0.0.1', () => console.log(JSON.stringify({ port: listening.address().port })))
