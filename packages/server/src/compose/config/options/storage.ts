/** Where images and volumes come from. */
import { DRIVERS } from '../../../domain/image/drivers.ts'
import { items, oneOf, option, optionalText, whole } from '../kinds.ts'

const imageDrivers = option(
  'list',
  (value): readonly string[] => {
    const names = items(value)
    const unknown = names.find((name) => !DRIVERS.includes(name))
    if (unknown !== undefined) throw new Error(`there is no image driver '${unknown}'; there are ${DRIVERS.join(', ')}`)
    if (names.length === 0) throw new Error('without an image driver no container can be made')
    return names
  },
  DRIVERS.join(', '),
)

export const STORAGE_OPTIONS = {
  imageDriverList: imageDrivers('DEFAULT', 'image_driver_list', {
    fallback: 'glance,docker',
    help: 'Where images may come from. glance counts when [keystone_auth] has a login.',
  }),
  defaultImageDriver: oneOf(...DRIVERS)('DEFAULT', 'default_image_driver', {
    fallback: 'docker',
    help: 'Image driver when none is asked for, and of the containers of capsules.',
  }),
  sandboxImageDriver: oneOf(...DRIVERS)('DEFAULT', 'sandbox_image_driver', {
    fallback: 'docker',
    help: 'Where sandbox_image comes from.',
  }),
  imagesDirectory: optionalText('glance', 'images_directory', {
    fallback: '',
    help: 'Where a host keeps archives of images from Glance; empty: images in the state directory.',
  }),
  imageCacheGiB: whole(0, 1_000_000)('zund', 'image_cache_size', {
    fallback: '20',
    help: 'GiB of such archives that are kept when nobody needs them; the oldest go first. 0: none. The engine has the images themselves.',
  }),
  imageCacheHours: whole(0, 87_600)('zund', 'image_cache_hours', {
    fallback: '24',
    help: 'Hours that such an archive is kept without being used.',
  }),
} as const
