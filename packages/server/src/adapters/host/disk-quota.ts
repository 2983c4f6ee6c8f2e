import { readFile } from 'node:fs/promises'

/**
 * Whether the engine's directory lies on a file system with project quotas on. overlay2 on xfs needs them, the engine does not
 * say whether they are there, and without them it refuses every container that is given a size.
 */
export async function hasProjectQuotas(directory: string, mountinfo = '/proc/self/mountinfo'): Promise<boolean> {
  let best: { readonly mountPoint: string; readonly options: readonly string[] } | undefined
  for (const line of await linesOf(mountinfo)) {
    const [before = '', after = ''] = line.split(' - ')
    const [, , , , mountPoint = ''] = before.split(' ')
    const [, , options = ''] = after.split(' ')
    const point = unescaped(mountPoint)
    if (!isBelow(directory, point) || (best !== undefined && point.length < best.mountPoint.length)) continue
    // Of mounts on top of each other the last one counts.
    best = { mountPoint: point, options: options.split(',') }
  }
  return best?.options.some((option) => option === 'prjquota' || option === 'pquota') === true
}

function isBelow(path: string, directory: string): boolean {
  return directory === '/' || path === directory || path.startsWith(`${directory}/`)
}

/** Spaces and the like are written in octal. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCodePoint(Number.parseInt(octal, 8)))
}

async function linesOf(file: string): Promise<string[]> {
  try {
    return (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '')
  } catch {
    return []
  }
}
