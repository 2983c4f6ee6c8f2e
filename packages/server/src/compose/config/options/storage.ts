/** Where images and volumes come from. */
import { DRIVERS } from '../../../domain/image/drivers.ts'
import { flag, items, oneOf, option, optionalText, seconds, text, whole } from '../kinds.ts'

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

const volumeDrivers = option(
  'list',
  (value): readonly string[] => {
    const names = items(value)
    const unknown = names.find((name) => !VOLUME_DRIVERS.includes(name))
    if (unknown === undefined) return names
    throw new Error(`there is no volume driver '${unknown}'; there are ${VOLUME_DRIVERS.join(', ')}`)
  },
  'cinder, local',
)
const VOLUME_DRIVERS: readonly string[] = ['cinder', 'local']

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
    help: 'Hours that such an archive, and an image of Glance in the engine that no container has, is kept without being used. Too few: what is used now and then is fetched each time.',
  }),
  myBlockStorageIp: text('DEFAULT', 'my_block_storage_ip', {
    fallback: '$my_ip',
    help: 'Address of this host that storage backends see.',
  }),
  volumeDriverList: volumeDrivers('volume', 'driver_list', {
    fallback: 'cinder,local',
    help: 'Volumes that this host takes: cinder, and files that users send along (local).',
  }),
  volumeDir: optionalText('volume', 'volume_dir', {
    fallback: '',
    help: 'Where volumes of Cinder are mounted, each under its id; empty: mnt in the state directory. A small file system in memory is mounted there.',
  }),
  volumeFstype: oneOf(
    'ext4',
    'ext3',
    'ext2',
    'xfs',
  )('volume', 'fstype', {
    fallback: 'ext4',
    help: 'File system that is made on a volume of Cinder that has nothing on it.',
  }),
  useMultipath: flag('volume', 'use_multipath', {
    fallback: 'false',
    help: 'Reach volumes over all paths at once; multipathd must run.',
  }),
  volumeAvailableTimeout: seconds('volume', 'timeout_wait_volume_available', {
    fallback: '60',
    help: 'Seconds that a volume is waited for until it may be attached.',
  }),
  volumeDeletedTimeout: seconds('volume', 'timeout_wait_volume_deleted', {
    fallback: '60',
    help: 'Seconds that the deletion of a volume is waited for.',
  }),
  remountVolumes: flag('compute', 'remount_container_volume', {
    fallback: 'true',
    help: 'Mount volumes of Cinder again when the host has started anew.',
  }),
} as const
