// Drives the unmodified tus-js-client; one scenario per call, one JSON line on stdout at the end.
//   node tus_js.mjs SCENARIO ENDPOINT TOKEN FILE
import { createReadStream, statSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { Upload } from 'tus-js-client'

const [scenario, endpoint, token, path] = process.argv.slice(2)
const size = statSync(path).size
const common = {
  endpoint,
  headers: { Authorization: `Bearer ${token}` },
  metadata: { filename: 'canary-name.mp4', filetype: 'video/mp4' },
  retryDelays: Array(100).fill(200),
}

const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`)

/** Runs an upload to its end; `stopAt` aborts it once so many bytes were acknowledged. */
function run(options, stopAt = Infinity) {
  return new Promise((resolve, reject) => {
    // A file stream tells its size by its path; a plain stream does not, as with a recording that still runs.
    const file = createReadStream(path)
    const upload = new Upload(options.uploadLengthDeferred ? file.pipe(new PassThrough()) : file, {
      ...common,
      uploadSize: options.uploadLengthDeferred ? undefined : size,
      ...options,
      onError: reject,
      onSuccess: () => resolve(upload),
      onChunkComplete: (_, accepted) => {
        say({ accepted })
        if (accepted >= stopAt) upload.abort().then(() => resolve(upload))
      },
    })
    upload.start()
  })
}

const scenarios = {
  whole: () => run({ chunkSize: Infinity }),
  chunked: () => run({ chunkSize: 256 * 1024 }),
  withCreation: () => run({ chunkSize: 256 * 1024, uploadDataDuringCreation: true }),
  override: () => run({ chunkSize: 256 * 1024, overridePatchMethod: true }),
  deferred: () => run({ chunkSize: 200 * 1024, uploadLengthDeferred: true }),
  async resumed() {
    const first = await run({ chunkSize: 256 * 1024 }, 512 * 1024)
    return run({ chunkSize: 256 * 1024, uploadUrl: first.url })
  },
  async terminated() {
    const first = await run({ chunkSize: 256 * 1024 }, 512 * 1024)
    await first.abort(true)
    return first
  },
}

try {
  const upload = await scenarios[scenario]()
  say({ done: true, url: upload.url })
} catch (error) {
  say({ done: false, error: String(error) })
  process.exitCode = 1
}
