/** Asks a container engine whether it is there, for machines without curl; exits with curl's numbers. */
import { request } from 'node:http'

const CANNOT_CONNECT = 7
const TIMED_OUT = 28
const TIMEOUT_MS = 5_000

const req = request(
  { socketPath: process.argv[2] ?? '', path: '/_ping', timeout: TIMEOUT_MS, headers: { Host: 'engine' } },
  (response) => response.pipe(process.stdout),
)
req.on('timeout', () => process.exit(TIMED_OUT))
req.on('error', () => process.exit(CANNOT_CONNECT))
req.end()
