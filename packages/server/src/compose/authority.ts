/** The authority that signs the certificates of a deployment's parts (docs/adr/0021). */
import { execFile } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { messageOf } from '../domain/errors.ts'
import { ConfigError } from './config/config-error.ts'
import { CA_FILE } from './tls.ts'

const CA_KEY_FILE = 'ca.key'
const TIMEOUT_MS = 30_000
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** Files appear whole, keys for their owner only. Signing is left to openssl: Node makes no certificates. */
export class Authority {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  get certificate(): string {
    return join(this.#directory, CA_FILE)
  }

  get #key(): string {
    return join(this.#directory, CA_KEY_FILE)
  }

  /** ConfigError when there is only half of one. */
  exists(): boolean {
    const [cert, key] = [existsSync(this.certificate), existsSync(this.#key)]
    if (cert !== key) {
      const [there, missing] = cert ? [CA_FILE, CA_KEY_FILE] : [CA_KEY_FILE, CA_FILE]
      throw new ConfigError(`${this.#directory} has ${there} and no ${missing}: put the other one back or remove both`)
    }
    return cert
  }

  async make(days: number): Promise<void> {
    await this.#within(async (at) => {
      const about = [
        '-subj',
        '/CN=zund authority',
        '-days',
        String(days),
        '-addext',
        'keyUsage=critical,keyCertSign,cRLSign',
      ]
      await openssl(['req', '-x509', ...NEW_KEY, ...about, '-keyout', at('key'), '-out', at('pem')])
      this.#put(at('key'), this.#key, 0o600)
      this.#put(at('pem'), this.certificate, 0o644)
    })
  }

  /** `name` without an ending; `uri` says what the certificate is of. */
  async issue(name: string, uri: string, days: number): Promise<void> {
    await this.#within(async (at) => {
      const uses = 'basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n'
      writeFileSync(at('ext'), `subjectAltName=URI:${uri}\n${uses}`)
      await openssl(['req', '-new', ...NEW_KEY, '-subj', '/CN=zund part', '-keyout', at('key'), '-out', at('csr')])
      const signer = ['-CA', this.certificate, '-CAkey', this.#key, '-set_serial', serial(), '-days', String(days)]
      await openssl(['x509', '-req', '-in', at('csr'), ...signer, '-extfile', at('ext'), '-out', at('pem')])
      const file = join(this.#directory, name)
      mkdirSync(dirname(file), { recursive: true, mode: 0o755 })
      this.#put(at('key'), `${file}.key`, 0o600)
      this.#put(at('pem'), `${file}.pem`, 0o644)
    })
  }

  async #within(work: (at: (ending: string) => string) => Promise<void>): Promise<void> {
    let place: string | undefined
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o755 })
      const made = mkdtempSync(join(this.#directory, '.new-'))
      place = made
      await work((ending) => join(made, `new.${ending}`))
    } catch (error) {
      throw new ConfigError(`no certificate can be made in ${this.#directory}: ${messageOf(error).trim()}`)
    } finally {
      if (place !== undefined) rmSync(place, { recursive: true, force: true })
    }
  }

  #put(from: string, to: string, mode: number): void {
    chmodSync(from, mode)
    renameSync(from, to)
  }
}

/** Of the random kind, positive, as RFC 5280 4.1.2.2 wants it. */
function serial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return `0x7${Buffer.from(bytes).toString('hex').slice(1)}`
}

async function openssl(args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)('openssl', [...args], { timeout: TIMEOUT_MS })
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    throw new Error(isMissing ? 'the program openssl is not there' : messageOf(error), { cause: error })
  }
}
