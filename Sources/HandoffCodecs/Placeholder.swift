import SwiftProtobuf
import Yams
import Crypto
