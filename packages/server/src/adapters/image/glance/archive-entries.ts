import { posix } from 'node:path'
import type { Header } from 'tar-stream'
import { UserFault } from '../../../domain/errors.ts'

export const MANIFEST = 'manifest.json'
/** Where an archive names its images. */
const NAMING: readonly string[] = [MANIFEST, 'repositories', 'index.json', 'oci-layout']
const KINDS: readonly unknown[] = ['file', 'directory', 'symlink', 'link']
/** An archive of an image has a few dozen: they are all held in memory. */
const MOST_LINKS = 10_000

export type GivenHeader = Partial<Header> & Pick<Header, 'name'>

/** `names`: one of the files that name images. */
export type SortedEntry =
  | { readonly kind: 'names'; readonly name: string }
  | { readonly kind: 'content'; readonly header: GivenHeader }
  | { readonly kind: 'ignored' }

/**
 * What an engine will take each entry of one archive for. Engines clean names and follow links, so a file that names images can
 * hide behind `x/../manifest.json`, or behind a link to the directory that it is in. Those are refused, and of the headers that are
 * passed on nothing is left but what has been looked at here: the same name can stand in a header more than once.
 */
export class ArchiveEntries {
  readonly #links = new Set<string>()
  readonly #naming = new Set<string>()

  sort(header: Header): SortedEntry {
    const { mode, mtime, size } = header
    // As archives of old said it.
    const type = header.type === 'file' && header.name.endsWith('/') ? 'directory' : header.type
    if (!KINDS.includes(type)) return { kind: 'ignored' }
    // For some readers it is followed by that, for others by the next entry, and ours would wait for it.
    if (type === 'directory' && size > 0) throw refused(header, 'is a directory with content')
    const name = cleaned(header.name)
    if (name === '' && type === 'directory') return { kind: 'ignored' }
    if (name === '') throw refused(header, 'has no name of its own')
    const parents = parentsOf(name)
    if (parents.some((parent) => this.#links.has(parent))) throw refused(header, 'is reached through a link')
    if (parents.some((parent) => NAMING.includes(parent))) throw refused(header, 'is below a file that names images')
    if (NAMING.includes(name)) {
      if (type !== 'file') throw refused(header, 'is not a file')
      if (this.#naming.has(name)) throw refused(header, 'is there twice')
      this.#naming.add(name)
      return { kind: 'names', name }
    }
    if (type !== 'symlink' && type !== 'link') return { kind: 'content', header: { name, type, mode, mtime, size } }
    if (this.#links.size >= MOST_LINKS) throw refused(header, `is one of more than ${MOST_LINKS} links`)
    this.#links.add(name)
    return { kind: 'content', header: { name, type, mode, mtime, linkname: this.#targetOf(header, name) } }
  }

  /** Of a hard link as a name in the archive, of a symbolic one as it is reached from where that is. */
  #targetOf(header: Header, name: string): string {
    const { type, linkname } = header
    if (typeof linkname !== 'string' || hasControls(linkname)) throw refused(header, 'leads nowhere')
    const base = posix.dirname(name)
    if (type === 'symlink' && posix.isAbsolute(linkname)) throw refused(header, 'leads out of the archive')
    const target = type === 'symlink' ? withoutSlash(posix.join(base, linkname)) : cleaned(linkname)
    if (target === '..' || target.startsWith('../')) throw refused(header, 'leads out of the archive')
    if (target === '' || target === '.') throw refused(header, 'leads to the archive itself')
    const passed = [...parentsOf(target), target]
    if (passed.some((one) => NAMING.includes(one))) throw refused(header, 'leads to a file that names images')
    if (type === 'symlink') return posix.relative(base, target)
    if (passed.some((one) => this.#links.has(one))) throw refused(header, 'leads to a link')
    return target
  }
}

/** Empty: that of the archive itself. */
function cleaned(name: string): string {
  if (hasControls(name) || name.split('/').includes('..')) throw refused({ name }, 'leaves its place')
  const clean = withoutSlash(posix.normalize(name)).replace(/^\/+/, '')
  return clean === '.' ? '' : clean
}

function withoutSlash(path: string): string {
  return path.replace(/\/+$/, '')
}

function parentsOf(name: string): string[] {
  const parts = name.split('/')
  return parts.slice(1).map((_, at) => parts.slice(0, at + 1).join('/'))
}

/** A name ends at a zero for some, and not for others. */
function hasControls(name: string): boolean {
  return /\p{Cc}/u.test(name)
}

function refused({ name }: Pick<Header, 'name'>, why: string): UserFault {
  return notAnArchive(`its entry ${JSON.stringify(name.slice(0, 255))} ${why}`)
}

export function notAnArchive(why: string): UserFault {
  return new UserFault('image.not_an_archive', `it is not an archive of an image as 'docker save' makes them: ${why}`)
}
