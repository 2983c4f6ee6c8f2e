/** `{"registry": {…}}`, as the contract declares it. */
import { CREATE_REGISTRY_FIELDS, UPDATE_REGISTRY_FIELDS } from '@zund/contract/api/requests/others.ts'
import type { Read } from '@zund/contract/fields/field.ts'
import { parseImageReference } from '../../domain/image/reference.ts'
import { bad, readFields, type Body } from '../fields.ts'

export function readNewRegistry(body: Body): Read<typeof CREATE_REGISTRY_FIELDS>['registry'] {
  const { registry } = readFields(CREATE_REGISTRY_FIELDS, body, NEWEST)
  requireUsableDomain(registry.domain)
  return registry
}

export function readRegistryChange(body: Body): Read<typeof UPDATE_REGISTRY_FIELDS>['registry'] {
  const { registry } = readFields(UPDATE_REGISTRY_FIELDS, body, NEWEST)
  if (registry.domain !== undefined) requireUsableDomain(registry.domain)
  return registry
}

/** Its fields are the same in every version. */
const NEWEST = Infinity

function requireUsableDomain(domain: string): void {
  if (parseImageReference(`${domain.toLowerCase()}/name`) !== undefined) return
  throw bad('domain', domain, 'It cannot stand before the name of an image: it must be host, host:port or host/path')
}
