import Foundation

/// A file's bytes, mapped into memory: pages are read as they are touched, and can be given back.
///
/// The mapping lives as long as the object. Changing the file meanwhile changes the bytes; cutting it short ends the
/// program when a page that is gone is touched: files are to be replaced by renaming, as ``CheckpointWriter`` does.
package final class MappedFile: Sendable {
  package let path: String
  nonisolated(unsafe) package let bytes: UnsafeRawBufferPointer

  /// Maps the file at `path`; an empty file has no bytes.
  package init(path: String) throws(CheckpointError) {
    self.path = path
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.error(path, "open") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Self.error(path, "read") }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw .file(path: path, operation: "read", reason: "not a regular file")
    }
    let size = Int(status.st_size)
    guard size > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED
    else { throw Self.error(path, "map") }
    bytes = UnsafeRawBufferPointer(start: start, count: size)
  }

  deinit {
    if let start = bytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: start), bytes.count)
    }
  }

  /// Tells the system that all of the file will be read soon.
  package func willRead() {
    advise(0..<bytes.count, MADV_WILLNEED)
  }

  /// Gives back the memory of the whole pages in `range`; they are read anew when touched again.
  package func release(_ range: Range<Int>) {
    let page = Int(getpagesize())
    let first = (range.lowerBound + page - 1) / page * page
    let last = range.upperBound == bytes.count ? range.upperBound : range.upperBound / page * page
    if first < last { advise(first..<last, MADV_DONTNEED) }
  }

  private func advise(_ range: Range<Int>, _ advice: Int32) {
    guard let start = bytes.baseAddress else { return }
    madvise(UnsafeMutableRawPointer(mutating: start + range.lowerBound), range.count, advice)
  }

  static func error(_ path: String, _ operation: String) -> CheckpointError {
    .file(path: path, operation: operation, reason: String(cString: strerror(errno)))
  }
}
