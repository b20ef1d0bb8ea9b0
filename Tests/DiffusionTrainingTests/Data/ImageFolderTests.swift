import DiffusionImages
import DiffusionTraining
import Foundation
import TestSupport
import Testing

@Suite struct ImageFolderTests {
  @Test func bareFoldersAreReadInOrder() throws {
    let folder = try DataFolder()
    try folder.writePNG(1, to: "b.png")
    try folder.writePNG(2, channels: 1, to: "a/c.PNG")
    try folder.writePNG(3, to: "a.png")
    try folder.writePNG(4, to: ".hidden/d.png")
    try folder.write("text", to: "e.txt")
    let data = try ImageFolder(folder: folder.url.path)
    #expect((0..<data.count).map(data.identifier) == ["a.png", "a/c.PNG", "b.png"])
    #expect(try (0..<3).map { try data.sample(at: $0).image[0, 0, 0] } == [3, 2, 1])
    #expect(try data.sample(at: 1).image.channels == 1)
    #expect(data.classNames.isEmpty && data.skipped.isEmpty)
  }

  @Test func emptyAndMissingFoldersAreNamed() throws {
    let folder = try DataFolder()
    for path in [folder.url.path, folder.path("none"), try folder.write("x", to: "file")] {
      let error = #expect(throws: DataError.self) { try ImageFolder(folder: path) }
      #expect(error?.description.hasPrefix("\(path): no images to read: ") == true)
    }
  }

  @Test func manifestsGiveCaptionsAndClasses() throws {
    let folder = try DataFolder()
    for (index, name) in ["x", "y", "z"].enumerated() {
      try folder.writePNG(UInt8(index), to: "sub/\(name).png")
    }
    let path = try folder.write(
      "text,kind,path\n\"a, b\",10,sub/x.png\n,9,sub/y.png\nc,,sub/z.png\n", to: "m.csv")
    let columns = ImageFolder.Columns(file: "path", caption: "text", classes: "kind")
    let data = try ImageFolder(manifest: path, columns: columns)
    #expect(data.classNames == ["9", "10"])
    #expect(try (0..<3).map { try data.sample(at: $0).caption } == ["a, b", "", "c"])
    #expect(try (0..<3).map { try data.sample(at: $0).classIndex } == [1, 0, nil])
    #expect(try (0..<3).map { try data.sample(at: $0).image[0, 0, 0] } == [0, 1, 2])
    let named = try ImageFolder(manifest: path, columns: columns, classNames: ["1", "10", "9"])
    #expect(try named.sample(at: 0).classIndex == 1)
    let error = #expect(throws: DataError.self) {
      try ImageFolder(manifest: path, columns: columns, classNames: ["10"])
    }
    #expect(error?.description == "\(path):3: class \"9\" is not one of the given classes")
    let plain = try ImageFolder(manifest: path, columns: .init(file: "path"))
    #expect(try plain.sample(at: 0).caption == nil && plain.classNames.isEmpty)
  }

  @Test func missingColumnsAndFilesAreNamed() throws {
    let folder = try DataFolder()
    try folder.writePNG(0, to: "a.png")
    let path = try folder.write("file\tname\na.png\tx\nb.png\ty\n", to: "m.tsv")
    #expect(
      throws: DataError.missingColumn(path: path, column: "caption", found: ["file", "name"])
    ) { try ImageFolder(manifest: path, columns: .init(caption: "caption")) }
    let error = #expect(throws: DataError.self) { try ImageFolder(manifest: path) }
    #expect(
      error?.description
        == "\(path):3: names a file that does not exist: \(folder.path("b.png"))")
  }

  @Test func damagedFilesAreRefusedOrSkipped() throws {
    let folder = try DataFolder()
    try folder.writePNG(7, to: "a.png")
    let damaged = try folder.write(
      Array(FileBytes.read(try folder.writePNG(8, to: "b.png")).dropLast(20)), to: "b.png")
    let path = try folder.write("file\nb.png\nc.png\na.png\n", to: "m.csv")

    let refusing = try ImageFolder(folder: folder.url.path)
    #expect(try refusing.sample(at: 0).image[0, 0, 0] == 7)
    let error = #expect(throws: DataError.self) { try refusing.sample(at: 1) }
    #expect(error?.description.hasPrefix("\(damaged): damaged PNG file: ") == true)

    let skipping = try ImageFolder(manifest: path, onFault: .skip)
    #expect(skipping.count == 1 && skipping.identifier(at: 0) == "a.png")
    #expect(skipping.skipped.map(\.path) == [folder.path("b.png"), folder.path("c.png")])
    #expect(
      skipping.skipped[1].error
        == .missingFile(manifest: path, line: 3, file: folder.path("c.png")))

    try FileManager.default.removeItem(atPath: folder.path("a.png"))
    #expect(throws: DataError.self) { try skipping.sample(at: 0) }
    #expect(
      throws: DataError.noImages(path: path, reason: "all 3 files were skipped")
    ) { try ImageFolder(manifest: path, onFault: .skip) }
  }

  @Test(.enabled(if: Shared.isPresent, "\(Shared.absence)")) func readsEmoji() throws {
    let folder = Shared.folder.appendingPathComponent("data/emoji")
    let data = try ImageFolder(
      manifest: folder.appendingPathComponent("manifest.tsv").path,
      columns: .init(caption: "name", classes: "group"))
    #expect(data.count == 10_219 && data.classNames.count == 11)
    #expect(try data.sample(at: 0).caption == "hash sign")
    let preparation = ImagePreparation(width: 32, height: 32, channels: 3)
    let draws = ImagePreparation.Draws(cropX: 0, cropY: 0, flip: 0)
    for index in stride(from: 0, to: data.count, by: 500) {
      let image = preparation.apply(to: try data.sample(at: index).image, draws: draws)
      #expect(image.width == 32 && image.height == 32 && image.channels == 3)
    }
  }
}
