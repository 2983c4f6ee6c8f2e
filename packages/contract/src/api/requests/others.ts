/** Bodies of images, networks, registries, quotas, capsules and of what is local. */
import {
  bad,
  FieldError,
  isObject,
  required,
  requiredEvenNull,
  shown,
  type Field,
  type Given,
} from '../../fields/field.ts'
import { number, object, text } from '../../fields/kinds.ts'
import type { Limits } from '../limits.ts'
import { templateSchema } from './capsule-template.ts'
import { imageName, NAME, pullPolicy } from './container.ts'

export const PULL_FIELDS = {
  repo: required(imageName({ about: '`[registry/]name[:tag]`.' })),
  host: required(imageName({ about: 'Name or uuid of the host.' })),
  tag: imageName({ about: 'Taken, and without effect: the tag is part of `repo`.' }),
  image_id: imageName({ about: 'Taken, and without effect.' }),
  size: imageSize(),
  image_pull_policy: pullPolicy({ about: 'Taken, and without effect.' }),
}
export type PullImage = Given<typeof PULL_FIELDS>

function imageSize(): Field<string | number, string | number> {
  const form = /^[0-9]+[bBkKmMgG]?$/
  return {
    about: 'Taken, and without effect.',
    schema: () => ({ anyOf: [{ type: 'integer' }, { type: 'string', pattern: form.source }] }),
    read: (value, name) => {
      if (typeof value === 'string' && form.test(value)) return value
      if (typeof value === 'number' && Number.isInteger(value)) return value
      throw bad(name, value, 'It is not a whole number, with b, k, m or g after it or not')
    },
  }
}

const NETWORK_NAME = { min: 2, max: 255 }

export const CREATE_HOST_NETWORK_FIELDS = {
  name: requiredEvenNull(text(NETWORK_NAME, { about: 'Without effect.' })),
  neutron_net_id: required(text(NETWORK_NAME, { about: 'Uuid of the network.' })),
}
export type CreateHostNetwork = Given<typeof CREATE_HOST_NETWORK_FIELDS>

/** Some registries give out tokens of several thousand characters for a password. */
const LONGEST_PASSWORD = 16_384
/** Stands in messages for what may hold a password. */
const HIDDEN = '***'

const NOT_NULL = { refusesNull: 'It must not be null' }

const REGISTRY = {
  name: text({ min: 2, max: 255, pattern: NAME }, NOT_NULL),
  domain: text({ min: 1, max: 255 }, { ...NOT_NULL, about: '`host`, `host:port` or `host/path`.' }),
  username: text({ min: 1, max: 255 }, NOT_NULL),
  password: password(),
}

/** Its value is told to nobody, not even in an answer to who sent it: answers are logged in many places. */
function password(): Field<string, string> {
  return {
    refusesNull: 'It must not be null',
    schema: () => ({ type: 'string', minLength: 1, maxLength: LONGEST_PASSWORD, writeOnly: true }),
    read: (value, name) => {
      if (typeof value === 'string' && value.length > 0 && value.length <= LONGEST_PASSWORD) return value
      throw bad(name, HIDDEN, `It is not a text of 1 to ${LONGEST_PASSWORD} characters`)
    },
  }
}

export const CREATE_REGISTRY_FIELDS = {
  registry: required(hidden(object({ ...REGISTRY, domain: required(REGISTRY.domain) }))),
}
export type CreateRegistry = Given<typeof CREATE_REGISTRY_FIELDS>['registry']

export const UPDATE_REGISTRY_FIELDS = { registry: required(hidden(object(REGISTRY))) }
export type UpdateRegistry = Given<typeof UPDATE_REGISTRY_FIELDS>['registry']

/** What is sent in its place is not told either. */
function hidden<Out, In>(field: Field<Out, In>): Field<Out, In> {
  return {
    ...field,
    refusesNull: 'It is not an object',
    read: (value, name, minor) => {
      if (!isObject(value)) throw bad(name, HIDDEN, 'It is not an object')
      return field.read(value, name, minor)
    },
  }
}

/** As for the options of the configuration. */
const LARGEST_QUOTA = 2_000_000_000

/** The client sends text. */
function quota(): Field<number, number | string> {
  return {
    about: '-1 is unlimited.',
    refusesNull: 'It is not a whole number',
    schema: () => ({
      anyOf: [
        { type: 'integer', minimum: -1, maximum: LARGEST_QUOTA },
        { type: 'string', pattern: '^-?[0-9]+$' },
      ],
    }),
    read: (value, name) => {
      const limit = typeof value === 'string' && /^-?[0-9]+$/.test(value) ? Number(value) : value
      // A text may have more digits than a number can hold.
      if (typeof limit !== 'number' || !(Number.isInteger(limit) || typeof value === 'string')) {
        throw bad(name, value, 'It is not a whole number')
      }
      if (limit >= -1 && limit <= LARGEST_QUOTA) return limit === 0 ? 0 : limit
      throw new FieldError(
        `Quota limit ${shown(value)} for ${name} must be between -1, which is unlimited, and ${LARGEST_QUOTA}.`,
        'invalid-quota-value',
      )
    },
  }
}

export const QUOTA_FIELDS = { containers: quota(), memory: quota(), cpu: quota(), disk: quota() }
export type UpdateQuota = Given<typeof QUOTA_FIELDS>

const localName = () =>
  required(text({ min: 1, max: 255, pattern: /^[^\p{Cc}]*$/u }, { about: 'It must not look like an id.' }))

export const CREATE_LOCAL_NETWORK_FIELDS = { name: localName() }
export type CreateLocalNetwork = Given<typeof CREATE_LOCAL_NETWORK_FIELDS>

/** As for the volumes that come and go with a container. */
const LARGEST_GIB = 16_384

export const CREATE_LOCAL_VOLUME_FIELDS = {
  name: localName(),
  size: required(number({ min: 1, max: LARGEST_GIB, integer: true }, { about: 'GiB.' })),
}
export type CreateLocalVolume = Given<typeof CREATE_LOCAL_VOLUME_FIELDS>

export function createCapsuleFields(limits: Limits) {
  return { template: required(template(limits)) }
}
export type CreateCapsule = Given<ReturnType<typeof createCapsuleFields>>

function template(limits: Limits): Field<unknown, string | Readonly<Record<string, unknown>>> {
  return {
    about: 'An object, or its text as JSON or YAML.',
    schema: (minor) => ({ anyOf: [templateSchema(limits, minor), { type: 'string' }] }),
    read: (value) => value,
  }
}
