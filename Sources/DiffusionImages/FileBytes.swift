import Foundation

/// Whole files into memory.
package enum FileBytes {
  /// The bytes of a regular file.
  ///
  /// - Throws: `ImageError.unreadable` with the system's reason.
  package static func read(_ path: String) throws(ImageError) -> [UInt8] {
    guard let file = fopen(path, "rb") else {
      throw .unreadable(path: path, reason: systemReason())
    }
    defer { fclose(file) }
    var status = stat()
    guard fstat(fileno(file), &status) == 0 else {
      throw .unreadable(path: path, reason: systemReason())
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      throw .unreadable(
        path: path, reason: isFolder ? "it is a folder" : "it is not a regular file")
    }
    let size = Int(status.st_size)
    var failure: String?
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { out, count in
      count = size == 0 ? 0 : fread(out.baseAddress, 1, size, file)
      if ferror(file) != 0 { failure = systemReason() }
    }
    if let failure { throw .unreadable(path: path, reason: failure) }
    return bytes
  }

  /// The system's words for its last error.
  package static func systemReason() -> String {
    String(cString: strerror(errno))
  }
}
