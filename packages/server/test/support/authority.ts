/** A small authority, made with the openssl command, and certificates of it. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Tls {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

export class Authority {
  readonly #directory = mkdtempSync(join(tmpdir(), 'zund-ca-'))

  constructor() {
    this.#openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2').with(
      '-subj',
      '/CN=test authority',
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
    )
  }

  issue(name: string): Tls {
    const csr = ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`]
    this.#openssl(...csr).with('-keyout', `${name}.key`, '-out', `${name}.csr`)
    writeFileSync(join(this.#directory, 'ext'), `subjectAltName=DNS:${name}\n`)
    this.#openssl('x509', '-req', '-days', '2', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial').with(
      '-in',
      `${name}.csr`,
      '-extfile',
      'ext',
      '-out',
      `${name}.pem`,
    )
    const read = (file: string): string => readFileSync(join(this.#directory, file), 'utf8')
    return { ca: read('ca.pem'), cert: read(`${name}.pem`), key: read(`${name}.key`) }
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }

  #openssl(...first: readonly string[]) {
    return {
      with: (...rest: readonly string[]): void => {
        execFileSync('openssl', [...first, ...rest], { cwd: this.#directory, stdio: 'ignore' })
      },
    }
  }
}
