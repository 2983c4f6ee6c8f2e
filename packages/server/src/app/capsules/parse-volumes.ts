/** The volumes of a template (capsules 2.5). Only Cinder's are known. */
import { NAME } from '@zund/contract/api/requests/container.ts'
import type { MemberTemplate, VolumeTemplate } from '../../domain/capsule/types.ts'
import { bad, missing } from '../fields.ts'
import { invalidTemplate } from './invalid-template.ts'
import type { Part } from './part.ts'

const MOST_VOLUMES = 32
const LARGEST_VOLUME_GIB = 16_384

export function parseVolumes(spec: Part): VolumeTemplate[] {
  const names = new Set<string>()
  const ids = new Set<string>()
  return spec.parts('volumes', MOST_VOLUMES).map((part) => {
    const name = part.text('name', { min: 2, max: 255, pattern: NAME })
    if (name === undefined) throw missing(part.at('name'))
    if (names.has(name)) throw invalidTemplate(part.at('name'), name, 'Another volume of the template has the name')
    names.add(name)
    const cinder = part.neededPart('cinder')
    cinder.refuseUnknown(['volumeID', 'size', 'autoRemove'])
    cinder.refuseNull()
    const source = parseSource(cinder)
    if (source.kind === 'existing') {
      if (ids.has(source.volumeId)) {
        throw invalidTemplate(cinder.at('volumeID'), source.volumeId, 'The template names the volume twice')
      }
      ids.add(source.volumeId)
    }
    return { name, source }
  })
}

function parseSource(cinder: Part): VolumeTemplate['source'] {
  const volumeId = cinder.text('volumeID', { min: 36, max: 36 })
  const sizeGiB = parseSize(cinder)
  const autoRemove = cinder.boolean('autoRemove') ?? false
  if ((volumeId === undefined) === (sizeGiB === undefined)) {
    const given = { volumeID: volumeId, size: sizeGiB }
    throw invalidTemplate(cinder.path, given, 'Exactly one of volumeID and size must be given')
  }
  return volumeId === undefined ? { kind: 'new', sizeGiB: sizeGiB ?? 0, autoRemove } : { kind: 'existing', volumeId }
}

function parseSize(cinder: Part): number | undefined {
  // Unlike other numbers it is never text.
  const value = cinder.raw('size')
  if (value !== undefined && typeof value !== 'number') throw bad(cinder.at('size'), value, 'It is not a number')
  return cinder.number('size', { min: 1, max: LARGEST_VOLUME_GIB, integer: true })
}

/** Names of the volumes that somebody mounts. */
export function mountedVolumes(members: readonly MemberTemplate[]): Set<string> {
  return new Set(members.flatMap(({ volumeMounts }) => volumeMounts.map(({ volume }) => volume)))
}
