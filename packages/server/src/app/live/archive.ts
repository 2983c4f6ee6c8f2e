/** Files in and out of a container, as tar archives inside of JSON. */
import { ApiError, InvalidInput } from '../../domain/errors.ts'
import type { PathStat } from '../../orchestration/ports/engine.ts'
import type { RequestContext } from '../context.ts'
import { isEngineFailure, refusalAs400 } from './engine-errors.ts'
import { locate, type LiveDeps } from './locate.ts'

/** From this minor version on archives are base64; before, the tar's bytes are taken as UTF-8 text. */
const BASE64_SINCE = 25

export interface ArchiveAnswer {
  readonly data: string
  readonly stat: PathStat
}

export async function getArchive(
  deps: LiveDeps,
  ctx: RequestContext,
  ident: string,
  path: string,
): Promise<ArchiveAnswer> {
  const { container, host } = await locate(deps, ctx, ident, 'get_archive')
  const { maxArchiveBytes } = deps.options
  try {
    const { stat, tar } = await deps.gateway.getArchive(host, container.uuid, path, maxArchiveBytes, {
      signal: ctx.signal,
    })
    const { name, size, mode, mtime, linkTarget } = stat
    return {
      data: tar.toString(ctx.minor >= BASE64_SINCE ? 'base64' : 'utf8'),
      stat: { name, size, mode, mtime, linkTarget },
    }
  } catch (error) {
    throw archiveError(error, path)
  }
}

export async function putArchive(
  deps: LiveDeps,
  ctx: RequestContext,
  ident: string,
  path: string,
  data: string,
): Promise<void> {
  const { container, host } = await locate(deps, ctx, ident, 'put_archive')
  const tar = ctx.minor >= BASE64_SINCE ? decodeBase64(data) : Buffer.from(data, 'utf8')
  const { maxArchiveBytes } = deps.options
  if (tar.length > maxArchiveBytes) {
    throw new ApiError(
      413,
      'request-too-large',
      `The archive has ${tar.length} bytes; at most ${maxArchiveBytes} are taken.`,
    )
  }
  try {
    await deps.gateway.putArchive(host, container.uuid, path, tar, { signal: ctx.signal })
  } catch (error) {
    throw archiveError(error, path)
  }
}

/** Line breaks and blanks may stand in it, nothing else that is not base64. */
function decodeBase64(data: string): Buffer {
  const text = data.replaceAll(/\s+/g, '')
  const padding = text.indexOf('=')
  // One character at a time: an expression for the whole would need a stack as deep as the archive is long.
  const wrong =
    text.length % 4 !== 0 ||
    /[^A-Za-z0-9+/=]/.test(text) ||
    (padding >= 0 && (padding < text.length - 2 || !text.endsWith('=')))
  if (wrong) throw new InvalidInput("The value of 'data' is not base64.", 'base64-exception')
  return Buffer.from(text, 'base64')
}

/**
 * The engine answers 500 for many a bad path or archive. Its text names directories of the host, so only the last part
 * of it, which says what is wrong, goes to the caller.
 */
export function archiveError(error: unknown, path: string): unknown {
  if (!isEngineFailure(error)) return refusalAs400(error)
  const reason = error.message.split(': ').at(-1)
  return new InvalidInput(`The archive of '${path.slice(0, 255)}' could not be read or written: ${reason}.`, 'invalid')
}
