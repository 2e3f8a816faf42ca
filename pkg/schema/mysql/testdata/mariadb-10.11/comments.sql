CREATE TABLE `comments` (
  `a` int(11) DEFAULT NULL COMMENT 'one ''two'' \\ "three" `four` /* five */ -- six \n seven',
  `b` int(11) DEFAULT NULL COMMENT ') ENGINE=x'
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci COMMENT='/*!50100 PARTITION BY */ é ?'
