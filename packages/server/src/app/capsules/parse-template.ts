/** The body of a create, key by key (capsules 2). What is checked nowhere else is bounded here. */
import { NAME } from '@zund/contract/api/requests/container.ts'
import type { CapsuleTemplate } from '../../domain/capsule/types.ts'
import { InvalidInput } from '../../domain/errors.ts'
import type { RestartPolicy } from '../../orchestration/ports/wire.ts'
import type { Limits } from '../options.ts'
import { bad, isObject, missing, refuseUnknownFields, type Body } from '../fields.ts'
import { invalidTemplate } from './invalid-template.ts'
import { parseMember } from './parse-member.ts'
import { mountedVolumes, parseVolumes } from './parse-volumes.ts'
import { Part } from './part.ts'
import { parseTemplateText } from './template-text.ts'

/** Each list by itself: every container of a capsule is one of the engine. */
const MOST_MEMBERS = 32
const MOST_LABELS = 256
/** Characters of the annotations as JSON. */
const LONGEST_ANNOTATIONS = 65_536
const LONGEST_LABEL_VALUE = 4_096

const RESTART_POLICIES: Readonly<Record<string, RestartPolicy['name']>> = {
  Always: 'always',
  OnFailure: 'on-failure',
  Never: 'no',
}

/** InvalidInput names the path of what is wrong. */
export function parseTemplate(body: Body, limits: Limits): CapsuleTemplate {
  refuseUnknownFields(body, ['template'])
  const given = body['template']
  if (given === undefined) throw missing('template')
  const template = typeof given === 'string' ? parseTemplateText(given) : given
  if (!isObject(template)) throw bad('template', given, 'It is neither an object nor the text of one')
  const root = new Part(template, 'template')
  root.refuseUnknown(['kind', 'capsuleVersion', 'metadata', 'spec', 'availabilityZone', 'restartPolicy'])
  root.refuseNull(['availabilityZone', 'kind', 'metadata', 'spec'])
  if (root.choice('kind', ['capsule', 'Capsule']) === undefined) throw missing(root.at('kind'))
  root.choice('capsuleVersion', ['beta', 'Beta'])
  // The one that counts is in the spec.
  root.choice('restartPolicy', Object.keys(RESTART_POLICIES))
  const availabilityZone = root.text('availabilityZone', { min: 1, max: 255 }) ?? null
  const metadata = parseMetadata(root.neededPart('metadata'))
  return { ...metadata, availabilityZone, ...parseSpec(root.neededPart('spec'), limits) }
}

function parseMetadata(metadata: Part): Pick<CapsuleTemplate, 'name' | 'labels' | 'annotations'> {
  return {
    name: metadata.text('name', { min: 2, max: 255, pattern: NAME }) ?? null,
    labels: parseLabels(metadata),
    annotations: parseAnnotations(metadata),
  }
}

function parseLabels(metadata: Part): Record<string, string> | null {
  const given = metadata.entries('labels', MOST_LABELS)
  if (given === undefined) return null
  const path = metadata.at('labels')
  const labels: Record<string, string> = {}
  for (const [key, value] of given) {
    if (key === '' || key.length > 255 || key.includes('\0')) {
      throw bad(path, key, 'The length of a name must be between 1 and 255, without a NUL character')
    }
    if (key.startsWith('org.openstack.zund.')) throw bad(path, key, 'The prefix org.openstack.zund. is reserved')
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      throw bad(`${path}.${key}`, value, 'It must be a string, a number or a boolean')
    }
    const text = String(value)
    if (text.length > LONGEST_LABEL_VALUE || text.includes('\0')) {
      throw bad(`${path}.${key}`, value, `It must have at most ${LONGEST_LABEL_VALUE} characters, and no NUL`)
    }
    labels[key] = text
  }
  return labels
}

function parseAnnotations(metadata: Part): Record<string, unknown> | null {
  const entries = metadata.entries('annotations', Number.MAX_SAFE_INTEGER)
  if (entries === undefined) return null
  const annotations = Object.fromEntries(entries)
  const length = JSON.stringify(annotations).length
  if (length <= LONGEST_ANNOTATIONS) return annotations
  throw bad(metadata.at('annotations'), length, `As JSON it must have at most ${LONGEST_ANNOTATIONS} characters`)
}

function parseSpec(
  spec: Part,
  limits: Limits,
): Pick<CapsuleTemplate, 'restartPolicy' | 'initContainers' | 'containers' | 'volumes'> {
  if (spec.raw('containers') === undefined || spec.raw('containers') === null) throw missing(spec.at('containers'))
  if (spec.raw('restartPolicy') === null) throw bad(spec.at('restartPolicy'), null, 'It must not be null')
  const policy = spec.choice('restartPolicy', Object.keys(RESTART_POLICIES)) ?? 'Always'
  const volumes = parseVolumes(spec)
  const names = new Set(volumes.map(({ name }) => name))
  const containers = spec.parts('containers', MOST_MEMBERS).map((part) => parseMember(part, 'container', names, limits))
  if (containers.length === 0) throw invalidTemplate(spec.at('containers'), [], 'There must be at least 1')
  const initContainers = spec
    .parts('initContainers', MOST_MEMBERS)
    .map((part) => parseMember(part, 'initContainer', names, limits))
  const mounted = mountedVolumes([...initContainers, ...containers])
  for (const [i, { name }] of volumes.entries()) {
    if (mounted.has(name)) continue
    const path = `${spec.at('volumes')}[${i}].name`
    throw new InvalidInput(
      `volume mount parameters is invalid. No container mounts the volume of '${path}', '${name}'.`,
      'invalid',
    )
  }
  const name = RESTART_POLICIES[policy] ?? 'always'
  return { restartPolicy: { name, maximumRetryCount: 0 }, initContainers, containers, volumes }
}
