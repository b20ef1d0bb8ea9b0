import Foundation

/// Files that are written whole or not at all: into a temporary file in the same folder, which is
/// then renamed.
package enum AtomicFile {
  /// Writes text as UTF-8.
  ///
  /// - Throws: as `write(_:to:)` of bytes.
  package static func write(_ text: String, to path: String) throws(ImageError) {
    try write(Array(text.utf8), to: path)
  }

  /// Writes bytes; a link at `path` keeps pointing at the file, which gets the new bytes.
  ///
  /// - Throws: `ImageError.unwritable` with the system's reason; whatever was at `path` is then
  ///   still there, and no temporary file is.
  package static func write(_ bytes: [UInt8], to path: String) throws(ImageError) {
    let target = try destination(path)
    let temporary = target + ".\(String(UInt64.random(in: .min ... .max), radix: 36)).partial"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL, 0o666)
    guard descriptor >= 0 else {
      throw .unwritable(path: path, reason: FileBytes.systemReason())
    }
    let reason = fill(descriptor, with: bytes)
    if let reason {
      unlink(temporary)
      throw .unwritable(path: path, reason: reason)
    }
    guard rename(temporary, target) == 0 else {
      let reason = FileBytes.systemReason()
      unlink(temporary)
      throw .unwritable(path: path, reason: reason)
    }
  }

  /// Where to rename to: what a link points at, and never over a folder or a device.
  private static func destination(_ path: String) throws(ImageError) -> String {
    if path.isEmpty { throw .unwritable(path: path, reason: "the path is empty") }
    var status = stat()
    guard stat(path, &status) == 0 else { return path }
    guard status.st_mode & S_IFMT == S_IFREG else {
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      throw .unwritable(
        path: path, reason: isFolder ? "it is a folder" : "it is not a regular file")
    }
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// Writes and closes; answers with what went wrong.
  private static func fill(_ descriptor: Int32, with bytes: [UInt8]) -> String? {
    var reason: String?
    bytes.withUnsafeBytes { buffer in
      var rest = buffer[...]
      while !rest.isEmpty && reason == nil {
        let written = Foundation.write(
          descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if written >= 0 {
          rest = rest.dropFirst(written)
        } else if errno != EINTR {
          reason = FileBytes.systemReason()
        }
      }
    }
    if close(descriptor) != 0 && reason == nil { reason = FileBytes.systemReason() }
    return reason
  }
}
