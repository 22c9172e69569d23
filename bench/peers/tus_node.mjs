// @tus/server with its file store, as its manual starts it. TUS_FILES names the folder, TUS_PORT the port.
import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'

const datastore = new FileStore({ directory: process.env.TUS_FILES })
const server = new Server({ path: '/files', datastore, relativeLocation: true })
const listening = server.listen({ host: '127.0.0.1', port: Number(process.env.TUS_PORT) })
listening.keepAliveTimeout = 75_000 // as long as nginx, so that no idle connection ends in the middle of a measurement
