import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import type { Secrets } from '../../app/ports/secrets.ts'
import { SystemFault } from '../../domain/errors.ts'

const CIPHER = 'aes-256-gcm'
const FORM = '1'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Bytes of a key. */
export const KEY_BYTES = 32

interface NamedKey {
  readonly id: string
  readonly key: Buffer
}

/**
 * AES-256-GCM. Sealed text is `1.<id of the key>.<nonce, ciphertext and tag in base64url>`; the owner is authenticated
 * along, so that a sealed text that was put into another record does not open there.
 */
export class SealedSecrets implements Secrets {
  readonly #keys: readonly NamedKey[]

  /** The first one seals, all of them open. */
  constructor(keys: readonly [Buffer, ...Buffer[]]) {
    this.#keys = keys.map((key) => ({ id: idOf(key), key }))
  }

  seal(text: string, owner: string): string {
    const [{ id, key }] = this.#keys as [NamedKey]
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
    cipher.setAAD(Buffer.from(owner))
    const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
    return [FORM, id, sealed.toString('base64url')].join('.')
  }

  open(sealed: string, owner: string): string {
    const [form, id, data = ''] = sealed.split('.')
    const known = this.#keys.find((key) => key.id === id)
    if (form !== FORM || known === undefined) {
      throw new SystemFault('secrets.unreadable', 'the key that this was sealed with is not among those given')
    }
    const bytes = Buffer.from(data, 'base64url')
    try {
      const nonce = bytes.subarray(0, NONCE_BYTES)
      const decipher = createDecipheriv(CIPHER, known.key, nonce, { authTagLength: TAG_BYTES })
      decipher.setAAD(Buffer.from(owner))
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
      const text = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES))
      return Buffer.concat([text, decipher.final()]).toString('utf8')
    } catch (error) {
      throw new SystemFault('secrets.unreadable', 'it was changed, or sealed for something else', { cause: error })
    }
  }

  isCurrent(sealed: string): boolean {
    return sealed.split('.')[1] === this.#keys[0]?.id
  }
}

/** Tells keys apart and nothing about them. */
function idOf(key: Buffer): string {
  return createHash('sha256').update('id of a key').update(key).digest('hex').slice(0, 12)
}
