/** Certificates for localhost and 127.0.0.1 that are their own authority, good until 2119. */
import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const DIRECTORY = join(import.meta.dirname, 'certificates')

export type CertificateName = 'one' | 'two'

export function certificate(name: CertificateName): { cert: Buffer; key: Buffer } {
  return {
    cert: readFileSync(join(DIRECTORY, `${name}.pem`)),
    key: readFileSync(join(DIRECTORY, `${name}.key.pem`)),
  }
}

/** As an operator puts them: `tls.pem` and `tls.key.pem`. */
export function putCertificate(name: CertificateName, directory: string): { cert: string; key: string } {
  const [cert, key] = [join(directory, 'tls.pem'), join(directory, 'tls.key.pem')]
  copyFileSync(join(DIRECTORY, `${name}.pem`), cert)
  copyFileSync(join(DIRECTORY, `${name}.key.pem`), key)
  return { cert, key }
}
