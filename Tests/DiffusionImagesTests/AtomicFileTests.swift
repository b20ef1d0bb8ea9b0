import DiffusionImages
import Foundation
import TestSupport
import Testing

@Suite struct AtomicFileTests {
  let image = pattern(width: 8, height: 8, channels: 1)

  @Test func anUnwritablePathLeavesNothing() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("none/a.png")
    #expect(throws: ImageError.unwritable(path: path, reason: "No such file or directory")) {
      try image.writePNG(to: path)
    }
    #expect(throws: ImageError.unwritable(path: folder.url.path, reason: "it is a folder")) {
      try image.writePNG(to: folder.url.path)
    }
    #expect(throws: ImageError.unwritable(path: "/dev/null", reason: "it is not a regular file")) {
      try image.writePNG(to: "/dev/null")
    }
    #expect(throws: ImageError.self) { try image.writePNG(to: "") }
    #expect(throws: ImageError.self) { try image.writePNG(to: "/proc/nothing/a.png") }
    #expect(throws: ImageError.self) {
      try image.writePNG(to: folder.path(String(repeating: "n", count: 300)))
    }
    #expect(try folder.contents.isEmpty)
  }

  @Test func aFullDeviceLeavesTheOldFile() throws {
    guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
    #expect(throws: ImageError.self) { try image.writePNG(to: "/dev/full") }
    #expect(FileManager.default.fileExists(atPath: "/dev/full"))
  }

  @Test func aFailureKeepsWhatWasThere() throws {
    let folder = try TemporaryFolder()
    try AtomicFile.write("old", to: folder.path("a.png"))
    #expect(throws: ImageError.self) {
      try image.writePNG(to: folder.path("a.png"), text: ["": "unfit"])
    }
    #expect(try FileBytes.read(folder.path("a.png")) == Array("old".utf8))
    try AtomicFile.write("new", to: folder.path("a.png"))
    #expect(try FileBytes.read(folder.path("a.png")) == Array("new".utf8))
    #expect(try folder.contents == ["a.png"])
  }

  @Test func aLinkKeepsPointing() throws {
    let folder = try TemporaryFolder()
    try AtomicFile.write("old", to: folder.path("file"))
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("link"), withDestinationPath: "file")
    try AtomicFile.write("new", to: folder.path("link"))
    #expect(try FileBytes.read(folder.path("file")) == Array("new".utf8))
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: folder.path("link")) == "file")
    #expect(try folder.contents == ["file", "link"])
  }
}
