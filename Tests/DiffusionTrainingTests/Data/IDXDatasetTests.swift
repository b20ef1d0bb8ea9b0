import DiffusionImages
import DiffusionTraining
import Foundation
import TestSupport
import Testing

@Suite struct IDXDatasetTests {
  static let images = idx([3, 2, 2], Array(10..<22))
  static let labels = idx([3], [2, 0, 1])

  @Test(arguments: [false, true]) func readsPlainAndCompressed(compressed: Bool) throws {
    let folder = try DataFolder()
    let images = try folder.write(compressed ? gzip(Self.images) : Self.images, to: "i")
    let labels = try folder.write(compressed ? gzip(Self.labels) : Self.labels, to: "l")
    let data = try IDXDataset(images: images, labels: labels)
    #expect(data.count == 3 && data.classNames == ["0", "1", "2"])
    let expected = Image(width: 2, height: 2, channels: 1, samples: [14, 15, 16, 17])
    #expect(try data.sample(at: 1) == TrainingSample(image: expected, classIndex: 0))
    #expect(try (0..<3).map { try data.sample(at: $0).classIndex } == [2, 0, 1])
    let unlabelled = try IDXDataset(images: images)
    #expect(try unlabelled.sample(at: 2).classIndex == nil && unlabelled.classNames.isEmpty)
  }

  @Test func membersAreConcatenated() throws {
    let folder = try DataFolder()
    let path = try folder.write(
      gzip(Array(Self.images[..<5])) + gzip(Array(Self.images[5...])), to: "i.gz")
    #expect(try IDXArray(reading: path).bytes == Array(10..<22))
  }

  @Test func channelsAreTheFourthDimension() throws {
    let folder = try DataFolder()
    let path = try folder.write(idx([1, 1, 2, 3], [1, 2, 3, 4, 5, 6]), to: "i")
    #expect(
      try IDXDataset(images: path).sample(at: 0).image
        == Image(width: 2, height: 1, channels: 3, samples: [1, 2, 3, 4, 5, 6]))
    let wrong = try folder.write(idx([1, 1, 1, 5], [1, 2, 3, 4, 5]), to: "w")
    #expect(throws: DataError.self) { try IDXDataset(images: wrong) }
  }

  @Test func everyTruncationIsRefused() throws {
    let folder = try DataFolder()
    for file in [Self.images, gzip(Self.images)] {
      for length in 0..<file.count {
        let path = try folder.write(Array(file[..<length]), to: "cut")
        let error = #expect(throws: DataError.self, "\(length)") { try IDXDataset(images: path) }
        #expect(error?.description.hasPrefix(path + ": ") == true)
      }
    }
  }

  @Test func everyDamagedByteOfGzipContentsIsRefused() throws {
    let folder = try DataFolder()
    let file = gzip(Self.images)
    // The byte before these is the block's kind, most bits of which mean nothing.
    for index in 11..<file.count {
      var damaged = file
      damaged[index] ^= 0x40
      let path = try folder.write(damaged, to: "i.gz")
      let error = #expect(throws: DataError.self, "\(index)") { try IDXDataset(images: path) }
      #expect(error?.description.hasPrefix("\(path): damaged gzip file: ") == true)
    }
    let trailing = try folder.write(file + [1, 2, 3], to: "t.gz")
    #expect(throws: DataError.self) { try IDXDataset(images: trailing) }
  }

  @Test func wrongHeadersAreNamed() throws {
    let folder = try DataFolder()
    func text(_ bytes: [UInt8]) throws -> String {
      let path = try folder.write(bytes, to: "i")
      let error = #expect(throws: DataError.self) { try IDXDataset(images: path) }
      return error?.description.replacingOccurrences(of: path, with: "i") ?? ""
    }
    #expect(try text([1, 0, 8, 1]).contains("does not start with two zero bytes"))
    #expect(try text(idx([1, 1, 1], [0], type: 0x0D)).contains("type 0xd, only 0x8"))
    #expect(try text(idx([4], [1, 2, 3, 4])).contains("its shape is [4]"))
    #expect(try text(idx([2, 2, 2], [0])) == "i: truncated: its header says 24 bytes, found 17")
    #expect(try text(idx([1, 1, 1], [0, 0])) == "i: too long: its header says 17 bytes, found 18")
    #expect(try text(idx([0, 2, 2], [])) == "i: no images to read: its count is 0")
    let absurd = Array(repeating: 0xFFFF_FFFF, count: 4)
    #expect(try text(idx(absurd, [])).contains("absurd"))
    #expect(throws: DataError.self) { try IDXDataset(images: folder.path("none")) }
  }

  @Test func labelsMustFit() throws {
    let folder = try DataFolder()
    let images = try folder.write(Self.images, to: "i")
    let two = try folder.write(idx([2], [0, 1]), to: "l")
    #expect(
      throws: DataError.mismatchedCounts(images: images, imageCount: 3, labels: two, labelCount: 2)
    ) { try IDXDataset(images: images, labels: two) }
    let labels = try folder.write(Self.labels, to: "m")
    #expect(throws: DataError.unknownLabel(path: labels, index: 0, label: 2, classCount: 2)) {
      try IDXDataset(images: images, labels: labels, classNames: ["a", "b"])
    }
    #expect(throws: DataError.self) { try IDXDataset(images: images, labels: images) }
  }

  @Test(.enabled(if: Shared.isPresent, "\(Shared.absence)")) func readsMNIST() throws {
    let folder = Shared.folder.appendingPathComponent("data/mnist").path
    let data = try IDXDataset(folder: folder, part: "t10k")
    #expect(data.count == 10_000 && data.classNames == (0...9).map(String.init))
    // The test set opens with the digits 7, 2, 1, 0, 4, 1, 4, 9, 5, 9.
    #expect(
      try (0..<10).map { try data.sample(at: $0).classIndex } == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9])
    let image = try data.sample(at: 0).image
    #expect(image.width == 28 && image.height == 28 && image.channels == 1)
    #expect(image[14, 0, 0] == 0 && image.samples.max() == 255)
    #expect(try IDXDataset(folder: folder, part: "train").count == 60_000)
    #expect(throws: DataError.self) { try IDXDataset(folder: folder, part: "none") }
  }
}
