import { hkdfSync, randomBytes } from 'node:crypto'
import { KEY_BYTES } from '../adapters/secrets/sealed-secrets.ts'
import { ConfigError } from './config/config-error.ts'
import type { Config } from './config/options.ts'
import type { StateDir } from './state-dir.ts'

const FILE = 'secret-keys'

/**
 * The keys of the configuration and then those of the file, one a line in base64. The first one seals. Where there is
 * neither, the file is made; it is no part of the database, so that a copy of that one tells no password.
 */
export function secretKeys(config: Pick<Config, 'authEncryptionKeys'>, state: StateDir): [Buffer, ...Buffer[]] {
  const configured = config.authEncryptionKeys.map(derived)
  const text = state.read(FILE)
  const kept = text === undefined ? [] : keysIn(text, state.file(FILE))
  const [first, ...others] = [...configured, ...kept]
  if (first !== undefined) return [first, ...others]
  if (text !== undefined) throw new ConfigError(`${state.file(FILE)} holds no key; put the old one back or remove it`)
  const made = randomBytes(KEY_BYTES)
  state.write(FILE, `${made.toString('base64')}\n`)
  return [made]
}

/** A text of any length becomes a key; the option's parser has seen to it that it is long enough. */
function derived(text: string): Buffer {
  return Buffer.from(hkdfSync('sha256', text, '', 'zund secrets', KEY_BYTES))
}

function keysIn(text: string, file: string): Buffer[] {
  return text.split('\n').flatMap((line, i) => {
    const written = line.trim()
    if (written === '' || written.startsWith('#')) return []
    const key = Buffer.from(written, 'base64')
    if (/^[\w+/-]+=*$/.test(written) && key.length === KEY_BYTES) return [key]
    throw new ConfigError(`${file}: line ${i + 1} is not a key of ${KEY_BYTES} bytes in base64`)
  })
}
