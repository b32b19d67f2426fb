/** Resolves relative paths of a configuration against the folder of the file that contains them. */
import { dirname, isAbsolute, resolve } from 'node:path'
import { isHandedOver } from '../system/read-file.js'

/** Returns the folder of a configuration file, or the working directory if a shell passes the file as a descriptor. */
export function folderOf(file: string): string {
  return isHandedOver(file) ? process.cwd() : resolve(dirname(file))
}

/** Returns the absolute path. An absolute path is returned unchanged. */
export function pathFrom(folder: string, path: string): string {
  return isAbsolute(path) ? path : resolve(folder, path)
}

/** Returns the absolute path of a program. A bare name is returned unchanged: it is looked up in PATH. */
export function commandFrom(folder: string, command: string): string {
  return command.includes('/') ? pathFrom(folder, command) : command
}
