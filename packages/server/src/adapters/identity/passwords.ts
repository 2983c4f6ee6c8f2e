import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { ApiError } from '../../domain/errors.ts'

/** Cost of one check: about 50 ms and 16 MiB. */
const COST = { N: 16_384, r: 8, p: 1 }
const KEY_BYTES = 32

/** A flood of logins must not starve the rest: so many at once, so many waiting, the others are told to come again. */
const AT_ONCE = 2
const MOST_WAITING = 64

let running = 0
const waiting: (() => void)[] = []

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  return `scrypt$${salt.toString('base64')}$${(await derive(password, salt)).toString('base64')}`
}

export async function checkPassword(password: string, stored: string): Promise<boolean> {
  const [, salt = '', key = ''] = stored.split('$')
  const expected = Buffer.from(key, 'base64')
  const actual = await derive(password, Buffer.from(salt, 'base64'))
  return expected.length === actual.length && timingSafeEqual(expected, actual)
}

/** Takes as long as a real check, so that an unknown user cannot be told from a wrong password. */
export async function wasteTime(password: string): Promise<void> {
  await derive(password, Buffer.alloc(16))
}

async function derive(password: string, salt: Buffer): Promise<Buffer> {
  if (running >= AT_ONCE) {
    if (waiting.length >= MOST_WAITING) {
      throw new ApiError(503, 'service-unavailable', 'Too many logins at once.', { retryAfterS: 2 })
    }
    await new Promise<void>((resolve) => waiting.push(resolve))
  } else running += 1
  try {
    return await new Promise<Buffer>((resolve, reject) =>
      scrypt(password, salt, KEY_BYTES, COST, (error, key) => (error === null ? resolve(key) : reject(error))),
    )
  } finally {
    const next = waiting.shift()
    if (next === undefined) running -= 1
    else next()
  }
}
