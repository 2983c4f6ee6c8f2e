import { badHeader, type Field } from '../../fields/field.ts'

export const IDEMPOTENCY_KEY = 'idempotency-key'

const LONGEST = 255
const FORM = /^[\x21-\x7e]+$/

const key: Field<string, string> = {
  about: 'Sent again with the same request, nothing more is made; the answer names what was made at first.',
  schema: () => ({ type: 'string', minLength: 1, maxLength: LONGEST, pattern: '^[!-~]+$' }),
  read: (value, name) => {
    if (typeof value !== 'string' || value === '' || value.length > LONGEST) {
      throw badHeader(name, value, `Its length is not between 1 and ${LONGEST}`)
    }
    if (!FORM.test(value)) throw badHeader(name, value, 'It has other characters than visible ASCII')
    return value
  },
}

/** Of a create that may be sent again. */
export const IDEMPOTENT = { [IDEMPOTENCY_KEY]: key }

export const REPLAYED_HEADER = 'Idempotency-Replayed'
export const REPLAYED = { [REPLAYED_HEADER]: '`true`: it had been made already.' }
