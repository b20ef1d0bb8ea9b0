import DiffusionImages
import DiffusionModels
import TensorCore

/// A picture with room around it, and the mask of the room.
public struct Outpainting: Sendable, Hashable, Codable {
  /// Pixels of room on each side.
  public var left: Int
  /// Pixels of room on each side.
  public var right: Int
  /// Pixels of room on each side.
  public var top: Int
  /// Pixels of room on each side.
  public var bottom: Int
  /// What is in the room before it is painted.
  public var fill: Fill
  /// How many pixels of the picture beside the room are painted anew too, with a seam that fades over them.
  public var overlap: Int

  /// What is in the room before it is painted.
  public enum Fill: String, Sendable, Hashable, Codable, CaseIterable {
    /// The picture's edge, repeated and the more blurred the farther it is: colours go on, lines do not.
    case edge
    /// Noise of the picture's mean and deviation in each colour.
    case noise
  }

  /// Room on each side.
  public init(
    left: Int = 0, right: Int = 0, top: Int = 0, bottom: Int = 0, fill: Fill = .edge,
    overlap: Int = 16
  ) {
    self.left = left
    self.right = right
    self.top = top
    self.bottom = bottom
    self.fill = fill
    self.overlap = overlap
  }

  /// The picture with the room, of a size that `unit` divides: what lacks is added at the right and at the bottom, where there is
  /// room, else at the left and the top, else where nothing was asked for.
  ///
  /// - Parameters:
  ///   - unit: an autoencoder's reduction.
  ///   - seed: of ``Fill/noise``.
  public func input(
    for image: Image, unit: Int, strength: Double, seed: UInt64
  ) throws(PipelineError) -> PictureInput {
    for (side, length) in [
      ("left", left), ("right", right), ("top", top), ("bottom", bottom), ("overlap", overlap),
    ] {
      try ImageRequest.expect(side, length >= 0, "expected 0 pixels or more, found \(length)")
    }
    try ImageRequest.expect(
      "left", left + right + top + bottom > 0,
      "no side has room; give --left, --right, --top or --bottom")
    let picture = image.converted(toChannels: 3, over: .white)
    let across = Self.completed(left, right, length: picture.width, unit: unit)
    let down = Self.completed(top, bottom, length: picture.height, unit: unit)
    let room = Room(
      left: across.before, right: across.after, top: down.before, bottom: down.after)
    return PictureInput(
      fill == .edge ? room.edgeFilled(picture) : room.noiseFilled(picture, seed: seed),
      strength: strength, mask: PaintMask(room.mask(picture, overlap: overlap)))
  }

  private static func completed(
    _ before: Int, _ after: Int, length: Int, unit: Int
  ) -> (before: Int, after: Int) {
    let lacking = (unit - (before + length + after) % unit) % unit
    return after > 0 || before == 0 ? (before, after + lacking) : (before + lacking, after)
  }
}

/// Room around a picture.
private struct Room {
  let left: Int, right: Int, top: Int, bottom: Int

  private func canvas(_ picture: Image, _ colour: (_ x: Int, _ y: Int) -> [UInt8]) -> Image {
    let (width, height) = (left + picture.width + right, top + picture.height + bottom)
    var samples: [UInt8] = []
    samples.reserveCapacity(width * height * 3)
    for y in 0..<height {
      for x in 0..<width { samples += colour(x - left, y - top) }
    }
    var canvas = Image(width: width, height: height, channels: 3, samples: samples)
    canvas.place(picture, x: left, y: top)
    return canvas
  }

  /// How far outside of `0..<length` a place is.
  private static func distance(_ place: Int, _ length: Int) -> Int {
    max(0, max(-place, place - length + 1))
  }

  func edgeFilled(_ picture: Image) -> Image {
    let plain = canvas(picture) { x, y in
      picture[min(max(x, 0), picture.width - 1), min(max(y, 0), picture.height - 1)]
    }
    // Blurred by ever more: each place takes the picture that suits its distance.
    let deepest = max(left, right, top, bottom)
    var blurs = [(reach: 0, image: plain)]
    var reach = 8
    while reach < deepest {
      blurs.append((reach, plain.blurred(deviation: Double(reach) / 4)))
      reach *= 2
    }
    return canvas(picture) { x, y in
      let far = max(Self.distance(x, picture.width), Self.distance(y, picture.height))
      let chosen = blurs.last { $0.reach <= far } ?? blurs[0]
      return chosen.image[x + left, y + top]
    }
  }

  func noiseFilled(_ picture: Image, seed: UInt64) -> Image {
    let pixels = PixelModel.samples(of: [picture])
    let mean = pixels.mean(axes: [0, 1, 2], keepingDimensions: true)
    let spread = pixels - mean
    let deviation = (spread * spread).mean(axes: [0, 1, 2], keepingDimensions: true).sqrt()
    var generator = CounterGenerator(seed: seed, stream: 0)
    let noise = Tensor.randomNormal(
      [1, top + picture.height + bottom, left + picture.width + right, 3],
      using: &generator)
    var filled = PixelModel.images(of: mean + deviation * noise)[0]
    filled.place(picture, x: left, y: top)
    return filled
  }

  /// White in the room, black in the picture, fading over the overlap beside it.
  func mask(_ picture: Image, overlap: Int) -> Image {
    let (width, height) = (left + picture.width + right, top + picture.height + bottom)
    // How deep in the picture a place is, seen from the sides that have room.
    func depth(_ place: Int, _ length: Int, _ before: Int, _ after: Int) -> Int {
      min(
        before > 0 ? place + 1 : Int.max, after > 0 ? length - place : Int.max)
    }
    var samples: [UInt8] = []
    for y in -top..<picture.height + bottom {
      for x in -left..<picture.width + right {
        let deep = min(
          depth(x, picture.width, left, right), depth(y, picture.height, top, bottom))
        let share = 1 - Double(max(0, deep)) / Double(overlap + 1)
        samples.append(UInt8((255 * max(0, share)).rounded()))
      }
    }
    return Image(width: width, height: height, channels: 1, samples: samples)
  }
}
