import { parseImageReference } from '../../domain/image/reference.ts'
import { bad, isObject, missing, refuseUnknownFields, textField, type Body } from '../fields.ts'

export interface RegistryFields {
  readonly name: string | undefined
  readonly domain: string | undefined
  readonly username: string | undefined
  readonly password: string | undefined
}

const FIELDS = ['name', 'domain', 'username', 'password'] as const
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/
/** Some registries give out tokens of several thousand characters for a password. */
const LONGEST_PASSWORD = 16_384
/** Stands in messages for what may hold a password. */
const HIDDEN = '***'

/** `{"registry": {…}}`, for create and update alike. */
export function parseRegistry(body: Body): RegistryFields {
  refuseUnknownFields(body, ['registry'])
  const fields = body['registry']
  if (fields === undefined) throw missing('registry')
  if (!isObject(fields)) throw bad('registry', HIDDEN, 'It is not an object')
  refuseUnknownFields(fields, FIELDS)
  for (const name of FIELDS) if (fields[name] === null) throw bad(name, null, 'It must not be null')
  return {
    name: textField(fields, 'name', { min: 2, max: 255, pattern: NAME }),
    domain: domainField(fields),
    username: textField(fields, 'username', { min: 1, max: 255 }),
    password: passwordField(fields),
  }
}

function domainField(fields: Body): string | undefined {
  const domain = textField(fields, 'domain', { min: 1, max: 255 })
  if (domain === undefined || parseImageReference(`${domain.toLowerCase()}/name`) !== undefined) return domain
  throw bad('domain', domain, 'It cannot stand before the name of an image: it must be host, host:port or host/path')
}

/** Its value is told to nobody, not even in an answer to who sent it: answers are logged in many places. */
function passwordField(fields: Body): string | undefined {
  const value = fields['password']
  if (value === undefined) return undefined
  if (typeof value === 'string' && value.length > 0 && value.length <= LONGEST_PASSWORD) return value
  throw bad('password', HIDDEN, `It is not a text of 1 to ${LONGEST_PASSWORD} characters`)
}
