/** Certificates for tests, made by openssl as an operator would make them. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Tls {
  /** PEM. */
  readonly ca: string
  readonly cert: string
  readonly key: string
}

export class Authority {
  readonly #directory = mkdtempSync(join(tmpdir(), 'zund-ca-'))
  #serial = 0

  constructor() {
    this.#openssl('req', '-x509', ...NEW_KEY, '-subj', '/CN=test authority', '-keyout', 'ca.key', '-out', 'ca.crt')
  }

  /** `names` as in openssl's `subjectAltName`: `URI:…`, `DNS:…`, `IP:…`. */
  issue(...names: readonly string[]): Tls {
    this.#serial += 1
    const file = `c${this.#serial}`
    const config = `subjectAltName=${names.join(',')}\nextendedKeyUsage=serverAuth,clientAuth\n`
    writeFileSync(join(this.#directory, `${file}.ext`), config)
    this.#openssl('req', ...NEW_KEY, '-subj', `/CN=${file}`, '-keyout', `${file}.key`, '-out', `${file}.csr`)
    const signer = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2']
    this.#openssl('x509', '-req', '-in', `${file}.csr`, ...signer, '-extfile', `${file}.ext`, '-out', `${file}.crt`)
    return { ca: this.#read('ca.crt'), cert: this.#read(`${file}.crt`), key: this.#read(`${file}.key`) }
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }

  #read(file: string): string {
    return readFileSync(join(this.#directory, file), 'utf8')
  }

  #openssl(...args: readonly string[]): void {
    execFileSync('openssl', args, { cwd: this.#directory, stdio: ['ignore', 'ignore', 'pipe'] })
  }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'] as const
