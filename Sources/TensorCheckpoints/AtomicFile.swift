import Foundation

/// A file that appears under its name whole or not at all: written beside it, synchronised, then renamed.
/// Without ``commit()`` nothing is left.
final class AtomicFile {
  private let path: String
  private let temporary: String
  private var descriptor: Int32

  init(path: String) throws(CheckpointError) {
    self.path = path
    // A link is followed, so that the file it names is replaced and not the link.
    let target = URL(fileURLWithPath: path).resolvingSymlinksInPath()
    var template = Array("\(target.path).XXXXXX".utf8CString)
    descriptor = mkstemp(&template)
    temporary = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    guard descriptor >= 0 else { throw MappedFile.error(path, "write") }
    // mkstemp makes files that only their owner reads; give what `open` would have.
    let mask = umask(0)
    umask(mask)
    fchmod(descriptor, 0o666 & ~mask)
  }

  deinit {
    if descriptor >= 0 {
      close(descriptor)
      unlink(temporary)
    }
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(CheckpointError) {
    var rest = bytes
    while !rest.isEmpty {
      let written = Foundation.write(descriptor, rest.baseAddress, min(rest.count, 1 << 30))
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { throw MappedFile.error(path, "write") }
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
  }

  func write(_ bytes: [UInt8]) throws(CheckpointError) {
    let outcome = bytes.withUnsafeBytes { bytes in
      Result { () throws(CheckpointError) in try write(bytes) }
    }
    try outcome.get()
  }

  func commit() throws(CheckpointError) {
    guard fsync(descriptor) == 0 else { throw MappedFile.error(path, "write") }
    let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    guard rename(temporary, target) == 0 else { throw MappedFile.error(path, "write") }
    close(descriptor)
    descriptor = -1
  }
}
